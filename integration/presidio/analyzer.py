"""The analyzer of Microsoft Presidio behind its REST interface.

Its own image comes with a language model; here a blank one stands in, so that nothing
has to be fetched beside the package, and a list of names takes the place of what the
model would find. Everything else is Presidio's: recognizers, context, scores, offsets.

    analyzer.py PORT
"""

import sys

import spacy
from flask import Flask, jsonify, request
from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine

LANGUAGE = "en"
NAMES = ["Ann Lee", "Bob Stone", "홍길동"]
PLACES = ["Springfield", "서울특별시 종로구"]


class BlankModel(SpacyNlpEngine):
    """Presidio's engine over a model that knows how to cut words and no more."""

    def __init__(self):
        super().__init__()
        self.nlp = {LANGUAGE: spacy.blank(LANGUAGE)}


def analyzer():
    registry = RecognizerRegistry(supported_languages=[LANGUAGE])
    registry.load_predefined_recognizers(languages=[LANGUAGE])
    registry.add_recognizer(PatternRecognizer(supported_entity="PERSON", deny_list=NAMES))
    registry.add_recognizer(PatternRecognizer(supported_entity="LOCATION", deny_list=PLACES))
    return AnalyzerEngine(
        registry=registry, nlp_engine=BlankModel(), supported_languages=[LANGUAGE]
    )


app = Flask(__name__)
engine = analyzer()


@app.get("/health")
def health():
    return "up"


@app.post("/analyze")
def analyze():
    asked = request.get_json()
    found = engine.analyze(
        text=asked["text"],
        language=asked["language"],
        entities=asked.get("entities"),
        score_threshold=asked.get("score_threshold"),
    )
    return jsonify([entity.to_dict() for entity in found])


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(sys.argv[1]), threaded=True)
