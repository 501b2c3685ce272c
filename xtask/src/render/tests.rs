//! Whole files from small stacks.
