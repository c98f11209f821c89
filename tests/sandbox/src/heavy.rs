//! Components that are small and take long, or much, to compile.
//!
//! A function with many loops and many variables makes the compiler look for each variable's value through each loop, and
//! remember what it found: time and memory grow with the product, the function's bytes with the sum.
//!
//! **Invariant:** what is made here is valid: nothing but its cost is a reason to refuse it.

use crate::guest_bytes;

/// How heavy.
#[derive(Debug, Clone, Copy)]
pub struct Weight {
    /// Time grows with it, memory does not.
    pub functions: u32,
    /// Loops in each function.
    pub loops: u32,
    /// Variables in each function, 50,000 at most.
    pub locals: u32,
}

/// The guest `puppet` with a module more, which nothing uses.
///
/// # Panics
/// When the guest is not built.
#[must_use]
pub fn component(weight: Weight) -> Vec<u8> {
    let mut bytes = guest_bytes("puppet");
    // Section 1 of a component: a core module.
    bytes.extend(section(1, &module(weight)));
    bytes
}

fn module(weight: Weight) -> Vec<u8> {
    let body = sized(body(weight));
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    // Types: one function without parameters or results.
    bytes.extend(section(1, &[1, 0x60, 0, 0]));
    let mut functions = number(weight.functions);
    functions.extend(vec![0; weight.functions as usize]);
    bytes.extend(section(3, &functions));
    let mut code = number(weight.functions);
    for _ in 0..weight.functions {
        code.extend(&body);
    }
    bytes.extend(section(10, &code));
    bytes
}

fn body(weight: Weight) -> Vec<u8> {
    const I32: u8 = 0x7f;
    // One group of variables.
    let mut body = vec![1];
    body.extend(number(weight.locals));
    body.push(I32);
    for _ in 0..weight.loops {
        // loop, local.get 0, br_if 0, end
        body.extend([0x03, 0x40, 0x20, 0, 0x0d, 0, 0x0b]);
    }
    for local in 0..weight.locals {
        // local.get, drop
        body.push(0x20);
        body.extend(number(local));
        body.push(0x1a);
    }
    body.push(0x0b);
    body
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![id];
    bytes.extend(sized(content.to_vec()));
    bytes
}

fn sized(content: Vec<u8>) -> Vec<u8> {
    let mut bytes = number(u32::try_from(content.len()).unwrap_or(u32::MAX));
    bytes.extend(content);
    bytes
}

/// As LEB128.
fn number(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
