import WickAgent
