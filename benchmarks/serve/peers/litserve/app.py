"""The mnist project behind LitServe: one worker, and the fast queue it advises above 100 requests a second."""

import litserve
import model


class Mnist(litserve.LitAPI):
    def setup(self, device):  # noqa: ARG002 -- the signature is LitServe's
        self.handler = model.load()

    def decode_request(self, request):
        return {"images": request["images"].file} if model.KIND == "jpeg" else {"pixels": request["pixels"]}

    def predict(self, fields):
        return self.handler.predict(**fields)

    def encode_response(self, output):
        return output


if __name__ == "__main__":
    server = litserve.LitServer(Mnist(), accelerator="cpu", workers_per_device=1, fast_queue=True)
    server.run(
        host="127.0.0.1",
        port=model.PORT,
        num_api_servers=1,
        generate_client_file=False,
        access_log=False,
        log_level="warning",
    )
