//! Bytes that are refused before they are compiled.
//!
//! **Invariant:** what is refused says which limit it broke, and costs the host no multiple of the bytes.

use ringfence_testkit::core::call::{CallFailure, CallReport, Spent, Usage};
use ringfence_testkit::core::limits::Limits;
use ringfence_testkit::core::quantity::{Bytes, Fuel};
use ringfence_testkit::sandbox::{Called, Sandbox, Settings};
use ringfence_tests_sandbox::made::component;

use crate::strain::End::Contract;
use crate::strain::Strain;

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const IMPORTS: u8 = 10;
const COMPONENTS: u8 = 4;

/// All strains of this kind.
pub(crate) fn strains() -> Vec<Strain> {
    [
        (
            "100 MiB of a component",
            "more than the 33554432 that are allowed",
            [COMPONENT, &vec![1; 100 << 20]].concat(),
        ),
        (
            "many imports",
            "more than 10000 imports and exports",
            imports(10_001),
        ),
        (
            "many imports, millions of them",
            "more than 10000 imports and exports",
            imports(2_700_000),
        ),
        (
            "many modules",
            "more than 1000 modules",
            component(&"(core module)".repeat(1_001)),
        ),
        (
            "many modules, one in the other",
            "more than 1000 modules",
            nested(1_001),
        ),
    ]
    .map(|(name, why, bytes)| {
        let sandbox = Sandbox::new(Settings::default()).unwrap();
        let run = move |limits| refused(&sandbox, &bytes, limits);
        Strain::new(name, Contract(why), run).memory(0)
    })
    .into()
}

/// What loading comes to, in the form of a call that never began.
fn refused(sandbox: &Sandbox, bytes: &[u8], limits: Limits) -> Called<String> {
    let answer = match sandbox.load(bytes) {
        Ok(_) => Ok(Ok("loaded".to_owned())),
        Err(error) => Err(CallFailure::Contract {
            message: error.to_string(),
        }),
    };
    let usage = Usage {
        fuel: Spent {
            used: Fuel(0),
            limit: limits.fuel,
        },
        memory: Spent {
            used: Bytes(0),
            limit: limits.memory,
        },
        bytes_read: Bytes(0),
        bytes_written: Bytes(0),
    };
    Called {
        answer,
        report: CallReport {
            usage,
            denials: Vec::new(),
            denials_dropped: 0,
            log: Vec::new(),
            log_bytes_dropped: 0,
        },
    }
}

/// A component that imports functions of as many names.
fn imports(count: u32) -> Vec<u8> {
    let mut names = leb(count);
    for n in 0..count {
        let name = format!("a{n:06}");
        names.extend([0, u8::try_from(name.len()).unwrap()]);
        names.extend(name.as_bytes());
        names.extend([1, 0]);
    }
    [COMPONENT, &section(IMPORTS, &names)].concat()
}

/// A component in a component in a component.
fn nested(depth: u32) -> Vec<u8> {
    (0..depth).fold(COMPONENT.to_vec(), |inner, _| {
        [COMPONENT, &section(COMPONENTS, &inner)].concat()
    })
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len()).unwrap();
    [&[id][..], &leb(len), content].concat()
}

/// A number as WebAssembly spells it.
fn leb(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
