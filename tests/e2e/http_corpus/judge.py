"""Whether an answer is right: NVIDIA's, or the one that is listed instead of it."""

import dataclasses

from http_corpus.answer import differences


def expected(recorded):
    """The answer that Hippocamp should give: all errors are called the JSON that they are."""
    if recorded.headers.get("content-type") != "text/plain" or not recorded.body:
        return recorded
    headers = {**recorded.headers, "content-type": "application/json"}
    return dataclasses.replace(recorded, headers=headers)


def complaints(recorded, answer, known=None):
    """What is wrong with an answer to a request that NVIDIA's answer was recorded of. `known` is
    the difference that is listed for it: it has to be there, and to be that one."""
    different = differences(expected(recorded), answer)
    if known is None:
        return different
    if not different:
        return [f"listed as different, and is not: {known.reason}"]
    body = answer.body.decode("utf-8", "replace")
    if answer.status != known.status or known.body not in body:
        return [f"neither NVIDIA's nor what is listed: {answer.status} {body[:300]}"]
    return []
