#!/usr/bin/env python3
"""A remote resolver for prices: of two prices the lower one wins.

What is no price (not a number, or below zero) and what was removed on one side it leaves to the
rule's `else`. The README beside this file says how to run it and how a rule asks it.

    PYTHONPATH=STUBS price_resolver.py HOST:PORT
"""

import concurrent.futures
import decimal
import json
import signal
import sys

import grpc

from bdcsync.resolver.v1 import resolver_pb2, resolver_pb2_grpc

THREADS = 8  # As many calls are worked on at once; the suite sends at most four by default.


def price_of(text):
    """The price in a JSON text, exactly; None when it is none, or missing (an empty text)."""
    if not text:
        return None
    value = json.loads(text, parse_int=decimal.Decimal, parse_float=decimal.Decimal)
    return value if isinstance(value, decimal.Decimal) and value >= 0 else None


def decide(place):
    """The answer to one place. It always names the place; one `outcome` must be set."""
    answer = resolver_pb2.Answer(number=place.number, path=place.path)
    ours, theirs = price_of(place.ours), price_of(place.theirs)
    if ours is None or theirs is None:
        answer.decline.SetInParent()
    else:
        # The text as it came: a price keeps its digits.
        answer.value = place.ours if ours < theirs else place.theirs
    return answer


class PriceResolver(resolver_pb2_grpc.ConflictResolverServiceServicer):
    def Resolve(self, request, context):
        return resolver_pb2.ResolveResponse(answers=[
            decide(place) for meeting in request.meetings for place in meeting.places])


def main(address):
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(THREADS))
    resolver_pb2_grpc.add_ConflictResolverServiceServicer_to_server(PriceResolver(), server)
    port = server.add_insecure_port(address)
    server.start()
    signal.signal(signal.SIGTERM, lambda *_: server.stop(grace=1))
    print(f"resolving prices on port {port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
