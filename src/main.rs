//! The program `undersigned`.

use undersigned::commands::{self, Exit};

fn main() -> Exit {
    commands::run()
}
