"""The sidecar, as `pilotfish run` starts it, before the upstream that takes everything."""

import json
import pathlib
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

DEPLOYMENT = """
apiVersion: pilotfish.dev/v1alpha1
kind: ModelDeployment
metadata: {{name: {name}}}
spec:
  provider: {provider}
  model: {model}
  {more}
  credentials: {{secretKeyRef: {{name: key, key: api-key}}}}
---
apiVersion: pilotfish.dev/v1alpha1
kind: RoutingPolicy
metadata: {{name: {name}}}
spec:
  models: [{name}]
  rules: [{{name: all, targets: [{{deploymentRef: {{name: {name}}}}}]}}]
  translation: {{onLoss: Warn}}
---
"""

KEY = """
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {api-key: sk-up}
"""


class Ours:
    """A running sidecar; `close` ends it."""

    def __init__(self, program, upstreams):
        self.folder = tempfile.TemporaryDirectory()
        documents = "".join(DEPLOYMENT.format(name=name, **row) for name, row in upstreams.items()) + KEY
        (pathlib.Path(self.folder.name) / "all.yaml").write_text(documents)
        command = [program, "run", self.folder.name, "--listen", "127.0.0.1:0", "--telemetry", "127.0.0.1:0"]
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)
        self.url = self.listening()

    def listening(self):
        for _ in range(600):
            self.log.seek(0)
            said = re.sub(r"\x1b\[[0-9;]*m", "", self.log.read())
            found = re.search(r"listening.*?address=\"?(127\.0\.0\.1:\d+)", said)
            if found:
                return f"http://{found.group(1)}"
            if self.process.poll() is not None:
                raise SystemExit(f"the sidecar did not start:\n{said}")
            time.sleep(0.1)
        raise SystemExit(f"the sidecar does not listen:\n{said}")

    def ask(self, name, body):
        """The status and the bytes of the answer."""
        data = json.dumps({**body, "model": name}).encode()
        request = urllib.request.Request(f"{self.url}/v1/chat/completions", data, {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        self.folder.cleanup()
