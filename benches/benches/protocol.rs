//! What lending costs: one item through the trait object, keeping, slicing a window, and cropping an image of rows.
//!
//! Each figure is to be read beside the plain thing in the same group: indexing a slice, cloning an `Arc`, slicing the
//! image of 4 rows.

// In a slice `1..-1` ends before the last entry; clippy reads it as an empty range.
#![allow(clippy::reversed_empty_ranges)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use extbuf::prelude::*;

fn one_item(c: &mut Criterion) {
    let numbers: Vec<f64> = (0..1000).map(f64::from).collect();
    let buffer = Buffer::from_vec(numbers.clone());
    let exporter: &dyn Exporter<'static> = &buffer;
    let mut group = c.benchmark_group("one item");
    group.bench_function("a slice, indexed", |b| b.iter(|| black_box(&numbers)[black_box(500)]));
    group.bench_function("export, view and get", |b| {
        b.iter(|| {
            let export = black_box(exporter).export(Request::FULL_RO).unwrap();
            export.view().get::<f64>(&[black_box(500)]).unwrap()
        });
    });
    let export = exporter.export(Request::FULL_RO).unwrap();
    let view = export.view();
    group.bench_function("get", |b| b.iter(|| black_box(&view).get::<f64>(&[black_box(500)]).unwrap()));
    group.finish();
}

fn keeping(c: &mut Criterion) {
    let mut buffer = Buffer::from_vec(vec![1.0f32; 120]);
    buffer.reshape(&[2, 3, 4, 5]).unwrap();
    let arc = Arc::new(vec![1.0f32; 120]);
    let mut group = c.benchmark_group("keep 4 axes");
    group.bench_function("clone an Arc and a shape", |b| {
        let shape = [2usize, 3, 4, 5];
        b.iter(|| (black_box(&arc).clone(), black_box(shape).to_vec()));
    });
    group.bench_function("export", |b| {
        b.iter(|| black_box(black_box(&buffer).export(Request::FULL_RO).unwrap()).grant());
    });
    group.bench_function("export and keep", |b| {
        b.iter(|| black_box(black_box(&buffer).window(Request::FULL_RO).unwrap()));
    });
    let window = buffer.window(Request::FULL_RO).unwrap();
    group.bench_function("slice a window", |b| {
        b.iter(|| black_box(black_box(&window).slice(s![.., 1.., ..;-1]).unwrap()));
    });
    group.finish();
}

fn crop_rows(c: &mut Criterion) {
    let mut group = c.benchmark_group("crop an image of rows");
    for height in [4usize, 4320] {
        let image = Rows::from_vecs(vec![vec![7u8; 64 * 4]; height], &[64, 4]).unwrap();
        let window = image.window(Request::FULL_RO).unwrap();
        group.bench_function(format!("{height} rows"), |b| {
            b.iter(|| {
                let crop = black_box(&window).slice(s![1..-1, 8..56;2, ..]).unwrap();
                assert_eq!(black_box(&crop).shape()[1], 24);
                crop
            });
        });
    }
    group.finish();
}

criterion_group!(benches, one_item, keeping, crop_rows);
criterion_main!(benches);
