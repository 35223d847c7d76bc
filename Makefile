# Each of these works alone on a fresh machine with Rust: it installs the system packages that it lacks.
.PHONY: run test check bench fuzz-corpus album screenshots packages

run: packages ## play: the player with the server inside
	cargo run --release --quiet

test: packages ## every test that needs no server, no network and no sound card
	cargo test $(addprefix --features ,$(FEATURES))

check: packages ## formatting, lints, licences
	cargo fmt --all --check
	cargo clippy --all-targets $(addprefix --features ,$(FEATURES)) -- -D warnings
	@if command -v cargo-deny >/dev/null; then cargo deny --offline check bans licenses sources; else echo "skipped: cargo-deny is not installed (cargo install cargo-deny)"; fi

bench: packages ## measured claims: make bench NAME=sound; an hour of playing: make bench NAME=soak MINUTES=60
	@MINUTES=$(MINUTES) benches/run $(NAME)

fuzz-corpus: ## small sound files of every kind, whole and broken, for tests/fuzz (needs ffmpeg)
	@tests/fuzz/corpus

album: packages ## render the demo album anew
	cargo run --release --example demo_album -- assets/demo

screenshots: packages ## draw the README's pictures with the real program
	@.ci/packages servers
	cargo build --release
	SEGUE_BIN=target/release/segue cargo run --release --example screenshots -- docs/pictures

packages:
	@.ci/packages build
