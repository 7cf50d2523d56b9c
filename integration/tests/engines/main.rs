//! Real engines behind the gate: llama.cpp's server, and vLLM on the CPU, with tiny models
//! of random weights. They have to be installed: `make test-engines`.

mod llamacpp;
mod masking;
mod routing;
mod vllm;

/// What `engines/setup.sh` makes.
const INSTALLED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/engines");
