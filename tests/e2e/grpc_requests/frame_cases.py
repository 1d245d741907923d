"""All cases of calls made of frames by hand."""

from grpc_requests import frames_headers, frames_http2, frames_messages

MODEL = "identity"
CASES = [*frames_headers.CASES, *frames_messages.CASES, *frames_http2.CASES]
