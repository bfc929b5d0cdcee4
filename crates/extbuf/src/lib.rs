//! The extended buffer interface of 2007, whole: lend memory, look at it in place, keep it, move it.
