//! The program `undersigned`.

use mimalloc::MiMalloc;
use undersigned::commands::{self, Exit};

/// Letters are made on one thread and written down on another, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> Exit {
    commands::run()
}
