//! Who lands where and why.
