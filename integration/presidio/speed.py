"""How fast Presidio's analyzer looks over a text with its patterns alone.

    speed.py FILE SECONDS

prints megabytes a second and how many values it found, of whole passes over the file
until so much time on a core is over. It looks only for types that Tollgate finds as
well, and a blank language model cuts the words: less than it does as it comes.
"""

import sys
import time

from analyzer import LANGUAGE, engine

ENTITIES = [
    "CREDIT_CARD",
    "CRYPTO",
    "EMAIL_ADDRESS",
    "IBAN_CODE",
    "IP_ADDRESS",
    "MAC_ADDRESS",
    "PHONE_NUMBER",
    "US_ITIN",
    "US_SSN",
]


def apart(found):
    """How many places there are: one that several recognizers find counts once."""
    count, end = 0, 0
    for start, stop in sorted((entity.start, entity.end) for entity in found):
        count += start >= end
        end = max(end, stop)
    return count


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    supported = engine.get_supported_entities(LANGUAGE)
    entities = [entity for entity in ENTITIES if entity in supported]

    def once():
        return engine.analyze(text=text, language=LANGUAGE, entities=entities)

    once()
    begun, passes, found = time.process_time(), 0, []
    while passes == 0 or time.process_time() - begun < float(sys.argv[2]):
        found = once()
        passes += 1
    took = time.process_time() - begun
    print(passes * len(text.encode()) / 1e6 / took, apart(found))


if __name__ == "__main__":
    main()
