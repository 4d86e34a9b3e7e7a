//! Compiles the programs of the documentation that need axum.

#[cfg(doctest)]
#[doc = include_str!("../../../src/web/layer/example.md")]
struct LayerExample;

#[cfg(doctest)]
#[doc = include_str!("../../../src/web/examples/stream.md")]
struct StreamExample;
