#!/usr/bin/env bash
# Finds or makes a compiler for wasm32-wasip2 and prints its path: RUSTC=$(wasm-toolchain.sh [--no-fetch] [--force])
#
#   1. The compiler that cargo uses anyway has the target: that one.
#   2. `rustup target add` brings it: that one. This is every ordinary machine. Not with --no-fetch.
#   3. Debian's packaged compiler with a standard library that is built here, once, from Debian's source package
#      and crates.io. --force builds it anew.
#
# The third way leaves a complete sysroot under $RINGFENCE_WASM_TOOLCHAIN (default: the user's cache folder). Plain
# stable `cargo build --target wasm32-wasip2` works with it; only building std itself needs an unstable switch.
set -euo pipefail

TARGET=wasm32-wasip2
LINKER_VERSION=0.5.31 # of wasm-component-ld: another version writes other bytes
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/ringfence
DIR=${RINGFENCE_WASM_TOOLCHAIN:-$CACHE/wasm-toolchain}
LINKER=$CACHE/wasm-component-ld-$LINKER_VERSION
DEB_RUSTC=/usr/bin/rustc
DEB_CARGO=/usr/bin/cargo
HOST=$(rustc -vV | sed -n 's/^host: //p')
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

fetch=1 force=0
for argument in "$@"; do
  case $argument in
    --no-fetch) fetch=0 ;;
    --force) force=1 ;;
    *) echo "wasm-toolchain: unknown argument $argument" >&2; exit 2 ;;
  esac
done

say() { echo "wasm-toolchain: $*" >&2; }
die() { say "$@"; exit 1; }

has_target() {
  local folder
  folder=$("$1" --print target-libdir --target $TARGET 2>/dev/null) && compgen -G "$folder/libstd-*.rlib" >/dev/null
}

# 1 and 2: the ordinary compiler
if [ $force = 0 ]; then
  if has_target "${RUSTC:-rustc}"; then
    command -v "${RUSTC:-rustc}"
    exit
  fi
  if [ $fetch = 1 ] && command -v rustup >/dev/null && [ ! -e "$DIR/stamp" ]; then
    if RUSTUP_MAX_RETRIES=0 timeout 300 rustup target add $TARGET >&2 && has_target rustc; then
      command -v rustc
      exit
    fi
    say "rustup could not bring $TARGET; taking Debian's compiler"
  fi
fi

# Whatever changes what the made toolchain writes.
stamp() {
  "$DEB_RUSTC" -vV
  dpkg-query -W -f '${Package} ${Version}\n' rust-web-src wasi-libc
  lld_path
  echo "wasm-component-ld $LINKER_VERSION, recipe 1"
}

# An lld that writes wasm: the one of the ordinary compiler, else Debian's.
lld_path() {
  local candidate
  for candidate in "$(rustc --print sysroot 2>/dev/null)/lib/rustlib/$HOST/bin/rust-lld" /usr/lib/llvm-2[2-9]/bin/lld; do
    if [ -x "$candidate" ]; then echo "$candidate"; return; fi
  done
  return 1
}

if [ $force = 0 ] && [ -e "$DIR/stamp" ] && [ "$(stamp 2>/dev/null)" = "$(cat "$DIR/stamp")" ]; then
  echo "$DIR/bin/rustc"
  exit
fi

# 3: Debian's packages, at least as new as the workspace asks for
minimum=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
wanted=(rustc-web cargo-web rust-web-src wasi-libc)
lld_path >/dev/null || wanted+=(lld-22)
packages_serve() {
  local package
  for package in "${wanted[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || return 1
  done
  dpkg --compare-versions "$(dpkg-query -W -f '${Version}' rustc-web)" ge "$minimum" &&
    dpkg --compare-versions "$(dpkg-query -W -f '${Version}' rust-web-src)" ge "$minimum"
}
command -v dpkg-query >/dev/null || die "no $TARGET here: run 'rustup target add $TARGET'"
if ! packages_serve; then
  [ "$(id -u)" = 0 ] || die "run once as root: apt-get install ${wanted[*]} (at least version $minimum)"
  say "installing ${wanted[*]}"
  # Without fresh lists an old image offers a compiler from before the security updates.
  apt-get update -qq >&2 || say "apt-get update failed; trying with the lists at hand"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null 2>&1 ||
    die "apt-get install ${wanted[*]} failed"
  packages_serve || die "Debian offers no rustc-web of version $minimum or later"
fi
if ! [ -x "$LINKER/bin/wasm-component-ld" ]; then
  say "building wasm-component-ld $LINKER_VERSION (once)"
  env -u RUSTC cargo install -q --locked --root "$LINKER" wasm-component-ld --version $LINKER_VERSION >&2
fi

# Made beside its final place and moved there whole, so nobody ever meets half a toolchain.
new=$DIR.new.$$
work=$(mktemp -d)
trap 'rm -rf "$new" "$work"' EXIT
sysroot=$("$DEB_RUSTC" --print sysroot)
lld=$(lld_path)
mkdir -p "$new/bin" "$new/lib/rustlib/$HOST/bin" "$new/lib/rustlib/$TARGET/lib/self-contained"
ln -s "$sysroot/lib/rustlib/$HOST/lib" "$new/lib/rustlib/$HOST/lib"
ln -s "$DEB_CARGO" "$new/bin/cargo"
# Links and not copies: lld finds its libraries from where it really lies, and its flavour from its name.
ln -s "$lld" "$new/lib/rustlib/$HOST/bin/rust-lld"
ln -s "$lld" "$new/lib/rustlib/$HOST/bin/wasm-ld"
ln -s "$LINKER/bin/wasm-component-ld" "$new/lib/rustlib/$HOST/bin/wasm-component-ld"
for tool in rustc rustdoc; do
  cat >"$new/bin/$tool" <<WRAPPER
#!/bin/sh
exec "$(dirname "$DEB_RUSTC")/$tool" --sysroot "\$(dirname "\$(dirname "\$(readlink -f "\$0")")")" "\$@"
WRAPPER
  chmod +x "$new/bin/$tool"
done

say "building std for $TARGET (once)"
mkdir -p "$work/std/src"
printf '[package]\nname = "std-maker"\nversion = "0.0.0"\nedition = "2024"\n' >"$work/std/Cargo.toml"
echo '#![no_std]' >"$work/std/src/lib.rs"
source=$(readlink -f "$sysroot/lib/rustlib/src/rust")
# embed-bitcode, or no plugin could be built with `lto = true`; remapped paths, as in rustup's own std.
flags="-Cembed-bitcode=yes"
for from in "$sysroot/lib/rustlib/src/rust" "$source"; do flags+=$'\x1f'"--remap-path-prefix=$from=/rustc/std"; done
flags+=$'\x1f'"--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=/rustc/crates"
(
  cd "$work/std"
  unset RUSTFLAGS RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER CARGO_BUILD_TARGET
  RUSTC=$DEB_RUSTC RUSTC_BOOTSTRAP=1 CARGO_ENCODED_RUSTFLAGS=$flags CARGO_PROFILE_RELEASE_DEBUG=0 \
    CARGO_TARGET_DIR=$work/target "$DEB_CARGO" build -q --release --target $TARGET -Zbuild-std=std,panic_abort >&2
)
cp "$work/target/$TARGET"/release/deps/*.rlib "$new/lib/rustlib/$TARGET/lib/"
rm -f "$new/lib/rustlib/$TARGET"/lib/libstd_maker-*.rlib
cp /usr/lib/wasm32-wasi/{crt1-command.o,crt1-reactor.o,libc.a} "$new/lib/rustlib/$TARGET/lib/self-contained/"

# It must give a component when called as cargo will call it.
mkdir -p "$work/try/src"
printf '[package]\nname = "try"\nversion = "0.0.0"\nedition = "2024"\n[lib]\ncrate-type = ["cdylib"]\n' >"$work/try/Cargo.toml"
echo '#[unsafe(no_mangle)] pub extern "C" fn one() -> i32 { std::env::args().count() as i32 }' >"$work/try/src/lib.rs"
( cd "$work/try" && env -u RUSTC_BOOTSTRAP RUSTC="$new/bin/rustc" CARGO_TARGET_DIR="$work/target" "$DEB_CARGO" build -q --release --target $TARGET >&2 )
head=$(od -An -tx1 -N8 "$work/target/$TARGET/release/try.wasm" | tr -d ' \n')
[ "$head" = 0061736d0d000100 ] || die "the new compiler wrote no component ($head)"

stamp >"$new/stamp"
rm -rf "$DIR"
mkdir -p "$(dirname "$DIR")"
mv "$new" "$DIR"
say "made $DIR"
echo "$DIR/bin/rustc"
