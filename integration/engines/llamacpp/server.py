"""llama.cpp's server with a model: python server.py FILE.gguf

Says `ready: URL` on a free port of loopback and serves until it is ended. GET /slots
shows the prompts that it was given.
"""

import os
import signal
import sys

# Read when the server starts: slots show texts, and not numbers alone.
os.environ["LLAMA_SERVER_SLOTS_DEBUG"] = "1"

import xllamacpp

# Its log shows requests and answers as well.
DEBUG = 5


def params(model):
    chosen = xllamacpp.CommonParams()
    chosen.model.path = model
    chosen.model_alias = ["tiny"]
    chosen.hostnames = ["127.0.0.1"]
    chosen.port = 0
    chosen.n_ctx = 8192
    chosen.n_parallel = 1
    chosen.n_gpu_layers = 0
    chosen.cpuparams.n_threads = 1
    chosen.warmup = False
    chosen.use_jinja = True
    chosen.endpoint_slots = True
    chosen.endpoint_metrics = True
    chosen.ui = False
    chosen.verbosity = DEBUG
    return chosen


server = xllamacpp.Server(params(sys.argv[1]))
print(f"ready: {server.listening_address}", flush=True)
signal.pause()
