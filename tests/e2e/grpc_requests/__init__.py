"""Calls over gRPC, and what NVIDIA's server made of them, recorded in the files beside them.

HC_ORACLE='…' python tests/e2e/grpc_requests/record.py      records them anew
"""
