//! Draws a memory layout or an item format as SVG and as terminal text.
