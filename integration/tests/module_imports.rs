//! The built module asks its host for nothing that Envoy does not offer: one
//! import too many and Envoy refuses to load it.

use std::path::Path;
use wasmparser::{BinaryReaderError, Import, Parser, Payload, TypeRef};

/// The ABI that the module says it speaks; the lists below belong to it.
const ABI: &str = "proxy_abi_version_0_2_1";

/// What Envoy 1.40 registers in `env` for that ABI, without the prefix `proxy_`.
const PROXY_FUNCTIONS: &[&str] = &[
    "add_header_map_value",
    "call_foreign_function",
    "close_stream",
    "continue_stream",
    "define_metric",
    "dequeue_shared_queue",
    "done",
    "enqueue_shared_queue",
    "get_buffer_bytes",
    "get_buffer_status",
    "get_current_time_nanoseconds",
    "get_header_map_pairs",
    "get_header_map_size",
    "get_header_map_value",
    "get_log_level",
    "get_metric",
    "get_property",
    "get_shared_data",
    "get_status",
    "grpc_call",
    "grpc_cancel",
    "grpc_close",
    "grpc_send",
    "grpc_stream",
    "http_call",
    "increment_metric",
    "log",
    "record_metric",
    "register_shared_queue",
    "remove_header_map_value",
    "replace_header_map_value",
    "resolve_shared_queue",
    "send_local_response",
    "set_buffer_bytes",
    "set_effective_context",
    "set_header_map_pairs",
    "set_property",
    "set_shared_data",
    "set_tick_period_milliseconds",
];

/// The WASI calls that do something in Envoy. It registers more of them, but
/// those only answer with an error: code that needs one does not belong here.
const WASI_FUNCTIONS: &[&str] = &[
    "args_get",
    "args_sizes_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_write",
    "proc_exit",
    "random_get",
];

fn is_offered(import: &Import<'_>) -> bool {
    let is_function = matches!(import.ty, TypeRef::Func(_));
    let listed = match import.module {
        "env" => {
            import.name.strip_prefix("proxy_").is_some_and(|name| PROXY_FUNCTIONS.contains(&name))
        }
        "wasi_snapshot_preview1" => WASI_FUNCTIONS.contains(&import.name),
        _ => false,
    };
    is_function && listed
}

/// The imports of a module that Envoy would not resolve.
fn refused_imports(module: &[u8]) -> Result<Vec<String>, BinaryReaderError> {
    let mut refused = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(imports) = payload? {
            for import in imports.into_imports() {
                let import = import?;
                if !is_offered(&import) {
                    refused.push(format!("{}.{}", import.module, import.name));
                }
            }
        }
    }
    Ok(refused)
}

/// The names that a module exports.
fn exports(module: &[u8]) -> Result<Vec<String>, BinaryReaderError> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ExportSection(section) = payload? {
            for export in section {
                names.push(export?.name.to_owned());
            }
        }
    }
    Ok(names)
}

fn built_module() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/wasm/gateway.wasm");
    match std::fs::read(&path) {
        Ok(module) => module,
        Err(error) => panic!("{}: {error}: run ./wasm-build.sh", path.display()),
    }
}

#[test]
fn envoy_offers_every_import_of_the_built_module() {
    let refused = refused_imports(&built_module()).unwrap();
    assert!(refused.is_empty(), "Envoy does not offer: {}", refused.join(", "));
}

#[test]
fn the_built_module_speaks_the_abi_of_the_lists() {
    let exports = exports(&built_module()).unwrap();
    assert!(exports.iter().any(|name| name == ABI), "no {ABI} among {exports:?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"\0asm\x01\0\0\0";
    /// Section 1: one function type, nothing in, nothing out.
    const ONE_TYPE: &[u8] = &[1, 4, 1, 0x60, 0, 0];
    const FUNCTION_OF_TYPE_0: &[u8] = &[0x00, 0];
    const MEMORY_OF_ONE_PAGE: &[u8] = &[0x02, 0, 1];

    /// A module that imports one thing; its names are shorter than 100 bytes.
    fn importing(module: &str, name: &str, kind: &[u8]) -> Vec<u8> {
        let mut import = vec![1];
        for word in [module, name] {
            import.push(u8::try_from(word.len()).unwrap());
            import.extend_from_slice(word.as_bytes());
        }
        import.extend_from_slice(kind);
        let length = u8::try_from(import.len()).unwrap();
        [HEADER, ONE_TYPE, &[2, length], &import].concat()
    }

    fn refused(module: &str, name: &str) -> Vec<String> {
        refused_imports(&importing(module, name, FUNCTION_OF_TYPE_0)).unwrap()
    }

    #[test]
    fn what_envoy_has_passes() {
        assert!(refused("env", "proxy_log").is_empty());
        assert!(refused("wasi_snapshot_preview1", "fd_write").is_empty());
    }

    #[test]
    fn what_envoy_has_not_is_named() {
        let wrong = [
            ("env", "proxy_make_coffee"),
            ("env", "log"),
            ("wasi_snapshot_preview1", "path_open"),
            ("wasi_unstable", "fd_write"),
            ("__wbindgen_placeholder__", "__wbindgen_describe"),
        ];
        for (module, name) in wrong {
            assert_eq!(refused(module, name), [format!("{module}.{name}")]);
        }
    }

    #[test]
    fn a_memory_under_a_function_s_name_is_refused() {
        let module = importing("env", "proxy_log", MEMORY_OF_ONE_PAGE);
        assert_eq!(refused_imports(&module).unwrap(), ["env.proxy_log"]);
    }

    #[test]
    fn what_is_no_module_is_an_error() {
        assert!(refused_imports(b"gateway").is_err());
    }
}
