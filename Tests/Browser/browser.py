"""Drives a headless Chromium over the DevTools protocol, through pipes: no port, no package.

The protocol: https://chromedevtools.github.io/devtools-protocol/. Messages are JSON, each followed
by a zero byte, on descriptors 3 (to the browser) and 4 (from it).
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time

PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]


def path():
    """The browser of this machine, or None."""
    return next((path for path in PATHS if os.access(path, os.X_OK)), None)


class Browser:
    """A browser with one page."""

    def __init__(self, width=1280, height=800, dark=False):
        self.profile = tempfile.mkdtemp(prefix="wick-browser-")
        to_browser, self.output = os.pipe()
        self.input, from_browser = os.pipe()

        def put_pipes():
            # Their numbers may be 3 and 4 already, the other way round.
            reading, writing = os.dup(to_browser), os.dup(from_browser)
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        self.process = subprocess.Popen(
            [path(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--remote-debugging-pipe", f"--window-size={width},{height}",
             f"--user-data-dir={self.profile}", "about:blank"],
            preexec_fn=put_pipes, close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.buffer = b""
        self.count = 0
        self.session = None
        self.events = []
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self.session = attached["sessionId"]
        for domain in ["Page", "Runtime", "Network", "Log"]:
            self.call(domain + ".enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        if dark:
            self.call("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": "dark"}])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.output)
        os.close(self.input)
        shutil.rmtree(self.profile, ignore_errors=True)

    def _receive(self):
        while b"\0" not in self.buffer:
            part = os.read(self.input, 1 << 16)
            if not part:
                raise RuntimeError("the browser has ended")
            self.buffer += part
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        """Calls a method of the protocol; events that come meanwhile are kept in `events`."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.output, data):]
        while True:
            answer = self._receive()
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, event, seconds=60):
        """Waits for an event by its name."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for index, message in enumerate(self.events):
                if message.get("method") == event:
                    return self.events.pop(index)
            self.events.append(self._receive())
        raise RuntimeError(f"no {event} within {seconds} s")

    def open(self, file, fragment=""):
        """Opens a file and waits until it is loaded."""
        self.events.clear()
        self.call("Page.navigate", url="about:blank")
        self.wait_for("Page.loadEventFired")
        self.events.clear()
        url = "file://" + os.path.abspath(file) + (f"#{fragment}" if fragment else "")
        self.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def run(self, script):
        """Runs JavaScript, waits for the promise that it may give, and returns its value."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True,
                           returnByValue=True, userGesture=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            text = details.get("exception", {}).get("description", details["text"])
            raise RuntimeError(f"{script}: {text}")
        return result["result"].get("value")

    def key(self, key, **modifiers):
        """Presses and releases a key as a keyboard does: "a", "Enter", "ArrowUp"."""
        bits = 8 if len(key) == 1 and key.isupper() else 0
        bits |= sum({"alt": 1, "control": 2, "shift": 8}[name] for name in modifiers)
        text = key if len(key) == 1 else {"Enter": "\r"}.get(key, "")
        codes = {"Enter": 13, "Escape": 27, "Tab": 9, "Backspace": 8, "ArrowLeft": 37,
                 "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        code = codes.get(key, ord(key.upper()) if key.isalnum() and len(key) == 1 else 0)
        for kind in ["keyDown", "keyUp"]:
            parameters = {"type": kind, "key": key, "modifiers": bits,
                          "windowsVirtualKeyCode": code}
            if kind == "keyDown" and text and not bits & 3:
                parameters["text"] = text
            self.call("Input.dispatchKeyEvent", **parameters)

    def type(self, text):
        """Types a text, key by key."""
        for character in text:
            self.key(character)

    def mouse(self, x, y, button=None):
        """Moves the pointer, and clicks there."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        if button:
            for kind in ["mousePressed", "mouseReleased"]:
                self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button,
                          clickCount=1)

    def screenshot(self, file):
        """Writes what the window shows as PNG."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(file, "wb") as output:
            output.write(base64.b64decode(data))

    def painted(self):
        """Waits until what was changed is painted."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def ready(self, seconds=60):
        """Waits until the script of a flame graph has taken over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.run("document.documentElement.dataset.state") == "ready":
                return
            time.sleep(0.01)
        raise RuntimeError("the script has not taken over")
