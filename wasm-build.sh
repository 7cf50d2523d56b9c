#!/usr/bin/env bash
# Builds filters/gateway for wasm32-wasip1 and writes target/wasm/gateway.wasm.
#
# Three ways, the first that this machine offers:
#   rustup   the active toolchain has the target, or rustup can add it
#   debian   Debian's own rustc, whose standard library is built from Debian's
#            sources; the packages are installed when we are root
# WASM_WAY=rustup|debian asks for one of them.
set -euo pipefail

readonly TARGET=wasm32-wasip1
readonly PACKAGES=(rustc-web cargo-web rust-web-src lld-19 wasi-libc)
readonly DEBIAN_LINKER=wasm-ld-19
readonly ADD_TARGET_SECONDS=120

cd "$(dirname "${BASH_SOURCE[0]}")"
readonly BUILD_DIR=$PWD/target/wasm-build
readonly MODULE=$PWD/target/wasm/gateway.wasm
export CARGO_TARGET_DIR=$BUILD_DIR

# What a caller (cargo itself, when a test calls us) has set for a native build
# would otherwise decide about this one.
forget_native_settings() {
    unset RUSTC RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER RUSTFLAGS CARGO_ENCODED_RUSTFLAGS \
        CARGO_BUILD_TARGET CARGO_BUILD_RUSTC CARGO_BUILD_RUSTC_WRAPPER CARGO_BUILD_RUSTFLAGS \
        CARGO_BUILD_TARGET_DIR CARGO_TARGET_WASM32_WASIP1_LINKER \
        CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS CARGO CARGO_UNSTABLE_BUILD_STD RUSTC_BOOTSTRAP
    rustc --version >/dev/null 2>&1 || unset RUSTUP_TOOLCHAIN
}

fail() {
    echo "wasm-build: $*" >&2
    exit 1
}

bounded() {
    if command -v timeout >/dev/null; then timeout "$ADD_TARGET_SECONDS" "$@"; else "$@"; fi
}

toolchain_has_target() {
    local libraries
    command -v cargo >/dev/null || return 1
    libraries=$(rustc --print target-libdir --target "$TARGET" 2>/dev/null) || return 1
    compgen -G "$libraries/libstd-*.rlib" >/dev/null
}

rustup_adds_target() {
    command -v rustup >/dev/null || return 1
    echo "wasm-build: asking rustup for $TARGET" >&2
    bounded rustup target add "$TARGET" >/dev/null 2>&1 && toolchain_has_target
}

debian_is_complete() {
    [[ -x /usr/bin/cargo && -x /usr/bin/rustc && -f /usr/lib/wasm32-wasi/libc.a ]] || return 1
    [[ -f /usr/lib/rustlib/src/rust/library/std/Cargo.toml ]] || return 1
    command -v "$DEBIAN_LINKER" >/dev/null
}

debian_installs_packages() {
    [[ -f /etc/debian_version && $(id -u) == 0 ]] || return 1
    command -v apt-get >/dev/null || return 1
    echo "wasm-build: installing ${PACKAGES[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    local install=(apt-get install -y -qq --no-install-recommends "${PACKAGES[@]}")
    "${install[@]}" >/dev/null 2>&1 ||
        { apt-get update -qq >/dev/null 2>&1 && "${install[@]}" >/dev/null 2>&1; } ||
        return 1
    debian_is_complete
}

# What is on the machine comes first, so that a second run asks no network.
choose_way() {
    case ${WASM_WAY:-} in
        rustup) toolchain_has_target || rustup_adds_target || return 1 ;;
        debian) debian_is_complete || debian_installs_packages || return 1 ;;
        "")
            if toolchain_has_target; then echo rustup && return; fi
            if debian_is_complete; then echo debian && return; fi
            if rustup_adds_target; then echo rustup && return; fi
            if debian_installs_packages; then echo debian && return; fi
            return 1
            ;;
        *) fail "WASM_WAY is rustup or debian, not '$WASM_WAY'" ;;
    esac
    echo "$WASM_WAY"
}

build_with_rustup() {
    RUSTFLAGS="-C target-feature=+simd128" \
        cargo build --package gateway --lib --profile wasm --target "$TARGET"
}

# Debian's compiler comes without this target's standard library: cargo builds
# it from sources of the same version. The cargo of rustup must not come first
# on PATH here, it would put its own compiler in.
build_with_debian() {
    env -u RUSTUP_TOOLCHAIN RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc PATH="/usr/bin:$PATH" \
        CARGO_TARGET_WASM32_WASIP1_LINKER="$DEBIAN_LINKER" \
        RUSTFLAGS="-L native=/usr/lib/wasm32-wasi -C link-self-contained=no -C target-feature=+simd128" \
        /usr/bin/cargo build --package gateway --lib --profile wasm --target "$TARGET" \
        -Zbuild-std=std,panic_abort
}

# A module that did not change keeps its file, so that nobody reloads it; one
# that did appears whole.
publish() {
    local built=$BUILD_DIR/$TARGET/wasm/gateway.wasm temporary
    mkdir -p "$(dirname "$MODULE")"
    cmp -s "$built" "$MODULE" && return
    temporary=$(mktemp "$MODULE.XXXXXX")
    cp "$built" "$temporary"
    chmod 644 "$temporary"
    mv -f "$temporary" "$MODULE"
}

digest() {
    if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1
}

forget_native_settings
way=$(choose_way) || fail "no compiler for $TARGET: run 'rustup target add $TARGET'," \
    "or on Debian 12 as root 'apt-get install --no-install-recommends ${PACKAGES[*]}'"
"build_with_$way"
publish
echo "wasm-build: target/wasm/gateway.wasm by $way," \
    "$(wc -c <"$MODULE" | tr -d ' ') bytes, sha256 $(digest "$MODULE")"
