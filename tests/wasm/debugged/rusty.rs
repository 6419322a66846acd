//! What Rust makes variables of: texts, rows, enums, references. Built by build.sh.
#![crate_type = "cdylib"]
#![no_std]
#![feature(default_alloc_error_handler)] // which is what newer compilers do anyway
extern crate alloc;

use alloc::{string::String, vec, vec::Vec};
use core::alloc::{GlobalAlloc, Layout};

/// It never takes anything back, which is enough here.
struct Bump;

static mut NEXT: usize = 0x8_0000;

unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = (NEXT + layout.align() - 1) & !(layout.align() - 1);
        NEXT = start + layout.size();
        start as *mut u8
    }
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static BUMP: Bump = Bump;

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

pub struct Header {
    name: String,
    value: &'static str,
    tags: Vec<u16>,
}

pub enum Action {
    Continue,
    Reply { status: u16, body: Vec<u8> },
    Wait(u32),
}

#[link(wasm_import_module = "env")]
extern "C" {
    fn pause(value: u32);
}

#[inline(never)]
fn look(header: &Header, actions: &[Action], letter: char) -> u32 {
    let first: Option<u32> = Some(7);
    let none: Option<&str> = None;
    let pair = (1u8, -2i64);
    let ratio = 0.25f32;
    let yes = header.tags.len() > 1;
    let mut total = 0u32;
    for action in actions {
        total += match action {
            Action::Continue => 1,
            Action::Reply { status, body } => *status as u32 + body.len() as u32,
            Action::Wait(time) => *time,
        };
        unsafe { pause(total) };
    }
    total + first.unwrap_or(0) + pair.0 as u32 + ratio as u32 + yes as u32 + none.map_or(0, |text| text.len() as u32) + letter as u32
}

#[no_mangle]
pub extern "C" fn run(argument: u32) -> u32 {
    let header = Header { name: String::from("x-user"), value: "ann \u{e9}", tags: vec![3, 4, argument as u16] };
    let actions = [Action::Continue, Action::Reply { status: 403, body: vec![104, 105] }, Action::Wait(argument)];
    look(&header, &actions, 'ß') + header.name.len() as u32 + header.value.len() as u32
}
