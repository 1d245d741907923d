"""Inference requests over gRPC, and NVIDIA's answers to them, recorded in answers.json.

HC_ORACLE='…' python tests/e2e/grpc_requests/record.py      records them anew
"""
