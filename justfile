# What builders do often. `just` lists it.

default:
    @just --list

# Run the server from source, talkative
run *options:
    TIDEPOOL_PROFILE=development cargo run -- {{options}}

# Everything that has to pass; installs what it needs on Debian
test:
    tests/run

# Everything but the browser
quick:
    tests/run --quick

# Run the black-box tests on another database: postgres, or cluster for two instances joined by NATS
test-on mode *options:
    cargo build --quiet --bins --examples
    TIDEPOOL_TEST_MODE={{mode}} cargo test --test blackbox -- {{options}}

# Minutes of failures between three instances, with times held against what is promised
failures:
    TIDEPOOL_TEST_MODE=cluster TIDEPOOL_TEST_TIMES=1 cargo test --test blackbox cluster:: -- \
        --include-ignored --nocapture --test-threads 1

# Every case of the Autobahn WebSocket suite, against the release build
autobahn *options:
    tests/conformance/run --release --exclude '' --fast 1000 {{options}}

# Fuzz what reads foreign bytes; needs cargo-fuzz
fuzz runs="1000000":
    RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none frames -- -runs={{runs}} -max_len=2048
    RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none inflate -- -runs={{runs}} -max_len=2048
    RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none markdown -- -runs={{runs}} -max_len=4096 -dict=fuzz/dictionaries/markdown.dict
    RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none multipart -- -runs={{runs}} -max_len=2048
    RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none text -- -runs={{runs}} -max_len=2048
    RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none tus_headers -- -runs={{runs}} -max_len=2048
    RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none voice_datagram -- -runs={{runs}} -max_len=1500

# Measure the live engine against bare baselines
bench *options:
    cargo bench --bench live -- {{options}}

# Score the first visit of a room with Lighthouse, fetched from npm
lighthouse:
    cargo bench --bench live -- --only lighthouse

# Fetch the vendored browser files again from npm and record their digests
vendor:
    scripts/vendor

# Take the README's pictures from a seeded server
screenshots:
    scripts/screenshots
