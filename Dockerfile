# The server, the program that runs models, and NumPy:
#
#     docker build -t hippocamp .
#     docker run -p 8000:8000 -p 8001:8001 -p 8002:8002 -v "$PWD/models:/models:ro" hippocamp
#
# Models that need more packages get them in an image made from this one:
#
#     FROM hippocamp
#     USER root
#     RUN apt-get update && apt-get install -y --no-install-recommends python3-pip
#     RUN pip --python /opt/hippocamp/venv/bin/python install scikit-learn
#     USER 1000:1000
#
# Kernels for GPUs are built where there is an nvcc, which Debian's image does not have: build from
# one of NVIDIA's with CUDA in it for native models on GPUs. Python models use GPUs in any case.

FROM debian:12-slim AS build
WORKDIR /src
COPY requirements-build.txt ./
COPY tools ./tools
RUN tools/setup.sh build
COPY . .
RUN cmake --preset release -DBUILD_TESTING=OFF && cmake --build build/release
RUN mkdir -p /opt/hippocamp \
    && cp -r build/bin build/lib /opt/hippocamp/ \
    && ln -sf hippocamp /opt/hippocamp/bin/tritonserver \
    && strip /opt/hippocamp/bin/hippocamp /opt/hippocamp/lib/hippocamp/*
RUN python3 -m venv --without-pip /opt/hippocamp/venv \
    && .venv/bin/pip --python /opt/hippocamp/venv/bin/python install --no-cache-dir \
        -r requirements-build.txt

FROM debian:12-slim
# The security updates of Debian 12 are wanted, so no versions are pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libarchive13 libcjson1 libevent-core-2.1-7 libhiredis0.14 libnghttp2-14 libprotobuf-c1 libpython3.11 \
        libssl3 libzstd1 python3 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --no-create-home --shell /usr/sbin/nologin hippocamp
COPY --from=build /opt/hippocamp /opt/hippocamp
ENV PATH=/opt/hippocamp/venv/bin:/opt/hippocamp/bin:/usr/local/bin:/usr/bin:/bin
USER 1000:1000
EXPOSE 8000 8001 8002
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/v2/health/ready')"]
ENTRYPOINT ["hippocamp"]
CMD ["--model-repository=/models"]
