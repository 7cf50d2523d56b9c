//! Everything that may trick a gate. Whatever is tried ends in a refusal in the
//! contract's shape or in exactly what an honest request would have got: no engine
//! sees another identity, model, path or body than was decided.

mod bypass {
    mod apis;
    mod attack;
    mod bodies;
    mod credentials;
    mod fields;
    mod forms;
    mod frames;
    mod framing;
    mod http2;
    mod numbers;
    mod paths;
    mod protocol;
    mod slow;
    mod strict_json;
    mod tokens;
    mod verdict;
    mod world;
}
