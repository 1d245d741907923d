"""Certificates for tests, made with the program openssl."""

import subprocess


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Authority:
    """Signs certificates, and is the root of those that it has signed."""

    def __init__(self, folder, name="root"):
        self._folder = folder
        self.cert = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", f"/CN={name}"),
            *("-keyout", self.key, "-out", self.cert),
        )

    def sign(self, name):
        """The paths of a certificate for 127.0.0.1 and localhost, and of its key."""
        cert, key = (self._folder / f"{name}{end}" for end in (".pem", ".key"))
        request, extensions = (self._folder / f"{name}{end}" for end in (".csr", ".ext"))
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl(
            *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request),
        )
        openssl(
            *("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key),
            *("-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", cert),
        )
        return cert, key
