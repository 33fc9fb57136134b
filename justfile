# Short names for what `cargo xtask` does; `just` alone lists them.

default:
    @just --list

# Everything that CI runs.
test *arguments:
    cargo xtask test {{arguments}}

# The house rules.
tidy *arguments:
    cargo xtask tidy {{arguments}}

# Measure: `just bench inline --quick`.
bench *arguments:
    cargo xtask bench {{arguments}}

# Fuzz one target, or all: `just fuzz session --seconds 300`.
fuzz *arguments:
    cargo xtask fuzz {{arguments}}

# Try it: SMTP on 127.0.0.1:2525.
serve:
    cargo run --release -- serve
