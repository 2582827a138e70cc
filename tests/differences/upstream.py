"""An upstream that takes everything: it keeps the last body and answers what it was told to."""

import base64
import http.server
import json
import threading

MEDIA = {"converse": "application/vnd.amazon.eventstream", "ollama": "application/x-ndjson"}


class Upstream:
    """One for all dialects; `url` is its base."""

    def __init__(self):
        self.body = None
        self.answer = None
        self.dialect = None
        keeper = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
                # LiteLLM asks Ollama what a model can do.
                if not self.path.endswith("/api/show"):
                    keeper.body = body
                self.reply(body)

            def reply(self, asked):
                streams = keeper.streams(self.path, asked)
                body = base64.b64decode(keeper.answer["stream"]) if streams else json.dumps(keeper.answer["whole"]).encode()
                media = MEDIA.get(keeper.dialect, "text/event-stream") if streams else "application/json"
                self.send_response(200)
                self.send_header("content-type", media)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def streams(path, body):
        if "treamGenerateContent" in path or path.endswith("converse-stream"):
            return True
        return bool(body.get("stream"))

    def expect(self, dialect, answer):
        """What the next call is answered."""
        self.dialect, self.answer, self.body = dialect, answer, None
