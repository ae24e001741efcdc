internal import CWickAgent
