//! Switches on the one network device of a new namespace, so that a program can talk to itself.
//!
//! **Invariant:** one message about one device goes to the kernel, and nothing is switched on but what leads back.

use std::io;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with,
};

/// The number of the device in every namespace.
const DEVICE: u32 = 1;
const UP: u32 = 1;
/// «Set what is said of this device, and answer.»
const NEW_LINK: u16 = 16;
const REQUEST_AND_ACKNOWLEDGE: u16 = 1 | 4;
/// Where an answer has its error.
const ERROR_AT: std::ops::Range<usize> = 16..20;

pub(super) fn up() -> io::Result<()> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        // Devices and routes.
        None,
    )?;
    send(&socket, &message(), SendFlags::empty())?;
    let mut answer = [0; 64];
    let (_, length) = recv(&socket, &mut answer[..], RecvFlags::empty())?;
    let error = answer
        .get(..length)
        .and_then(|answer| answer.get(ERROR_AT)?.try_into().ok())
        .map(i32::from_ne_bytes);
    match error {
        Some(0) => Ok(()),
        Some(error) => Err(Errno::from_raw_os_error(error.saturating_neg()).into()),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// A header (length, type, flags, number, sender), then of which device which flags shall be set.
fn message() -> Vec<u8> {
    let body = [0, DEVICE, UP, UP].map(u32::to_ne_bytes).concat();
    let mut message = Vec::new();
    message.extend(32_u32.to_ne_bytes());
    message.extend(NEW_LINK.to_ne_bytes());
    message.extend(REQUEST_AND_ACKNOWLEDGE.to_ne_bytes());
    message.extend([1_u32, 0].map(u32::to_ne_bytes).concat());
    message.extend(body);
    message
}
