//! Tests of gates without a loop.
