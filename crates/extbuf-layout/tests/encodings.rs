//! The pointer encodings: known vectors, every refusal, and the way there and back.

use extbuf_layout::{
    Contiguity, DerefOff, EncodeRefusal, IsPtr, Layout, LayoutErrorKind as Kind, LayoutSpec, LevelSpec,
    Suboffsets, s,
};

fn image() -> Layout {
    Layout::from_suboffsets(1, &[480, 640, 3], &[8, 3, 1], Some(&[0, -1, -1]), 0).unwrap()
}

fn layout(shape: &[isize], levels: &[(isize, &[isize])]) -> Layout {
    let levels: Vec<_> = levels.iter().map(|&(offset, strides)| LevelSpec { offset, strides }).collect();
    Layout::new(&LayoutSpec { itemsize: 1, shape, levels: &levels }).unwrap()
}

#[test]
fn the_corrected_image_of_the_pep() {
    // The example as it stands since August 2007: char *image[480] of rows, suboffsets {0, -1}.
    let pep = Layout::from_suboffsets(4, &[480, 640], &[8, 4], Some(&[0, -1]), 0).unwrap();
    assert_eq!(pep, Layout::from_derefoff(4, &[480, 640], &[8, 4], Some(&[None, Some(0)]), 0).unwrap());
    assert_eq!(pep, Layout::from_isptr(4, &[480, 640], &[8, 4], Some(&[true, false]), 0).unwrap());
    // The example as it stood before, {-1, 0}, says something else: items that are pointers.
    let before = Layout::from_suboffsets(4, &[480, 640], &[8, 4], Some(&[-1, 0]), 0).unwrap();
    assert_eq!((before.strides(0), before.strides(1)), (&[8, 4][..], &[0, 0][..]));
}

#[test]
fn a_slice_behind_the_load_goes_to_the_nearest_pointer_before() {
    // Three axes, the pointer at the first: slicing the last changes the first suboffset, not the one beside it.
    let part = image().slice(s![5.., 7.., 1..]).unwrap();
    assert_eq!(
        part.to_suboffsets().unwrap(),
        Suboffsets { offset: 40, strides: vec![8, 3, 1], suboffsets: Some(vec![22, -1, -1]) }
    );
    assert_eq!(
        part.to_derefoff().unwrap(),
        DerefOff { offset: 40, strides: vec![8, 3, 1], derefoff: Some(vec![None, Some(22), None]) }
    );
    let error = part.to_isptr().unwrap_err();
    assert_eq!(
        error.kind(),
        &Kind::NotEncodable {
            encoding: "isptr",
            axis: Some(0),
            refusal: EncodeRefusal::OffsetAfterLoad { load: 1, offset: 22 }
        }
    );
    assert_eq!(
        image().to_isptr().unwrap(),
        IsPtr { offset: 0, strides: vec![8, 3, 1], isptr: Some(vec![true, false, false]) }
    );
}

#[test]
fn all_none_suboffsets_become_none() {
    let direct = Layout::from_suboffsets(8, &[3, 4], &[32, 8], Some(&[-1, -7]), 16).unwrap();
    assert!(direct.is_direct());
    assert_eq!(
        direct.to_suboffsets().unwrap(),
        Suboffsets { offset: 16, strides: vec![32, 8], suboffsets: None }
    );
    assert_eq!(direct.contiguity(), Contiguity::C);
    // No item, no pointer to follow.
    let none = image().slice(s![0..0]).unwrap();
    assert_eq!(none.to_suboffsets().unwrap().suboffsets, None);
    assert!(none.to_strides().is_ok());
}

#[test]
fn what_each_encoding_cannot_say() {
    let refusal = |error: extbuf_layout::LayoutError| match error.kind() {
        Kind::NotEncodable { axis, refusal, .. } => (*axis, *refusal),
        other => panic!("{other:?}"),
    };
    let sub = |layout: &Layout| layout.to_suboffsets().map_err(refusal);
    let deref = |layout: &Layout| layout.to_derefoff().map_err(refusal);

    assert_eq!(image().to_strides().map_err(refusal), Err((Some(1), EncodeRefusal::Loads { loads: 1 })));
    assert_eq!(
        image().to_strides().unwrap_err().to_string(),
        "strides cannot say this layout: axis 1 steps behind a load, and 1 pointer is followed on the way to an item"
    );

    let exchanged = image().transpose();
    assert_eq!(sub(&exchanged), Err((Some(2), EncodeRefusal::Exchanged { level: 0, after: 1 })));
    assert_eq!(deref(&exchanged), Err((Some(2), EncodeRefusal::Exchanged { level: 0, after: 1 })));

    let diagonal = image().diagonal(0, 1, 0).unwrap();
    assert_eq!(sub(&diagonal), Err((Some(1), EncodeRefusal::StepsTwice { first: 0, second: 1 })));

    // A handle: the base is a pointer. derefoff can, suboffsets need an axis in front.
    let handle = layout(&[4], &[(16, &[0]), (-2, &[3])]);
    assert_eq!(sub(&handle), Err((None, EncodeRefusal::NoAxisBefore { load: 1 })));
    assert_eq!(deref(&handle), Ok(DerefOff { offset: 16, strides: vec![3], derefoff: Some(vec![Some(-2)]) }));
    let handle = layout(&[4], &[(16, &[0]), (2, &[3])]).new_axis(0).unwrap();
    assert_eq!(
        sub(&handle),
        Ok(Suboffsets { offset: 16, strides: vec![0, 3], suboffsets: Some(vec![2, -1]) })
    );

    // Items that are pointers: suboffsets can, derefoff needs an axis behind.
    let pointers = layout(&[4], &[(0, &[8]), (5, &[0])]);
    assert_eq!(sub(&pointers), Ok(Suboffsets { offset: 0, strides: vec![8], suboffsets: Some(vec![5]) }));
    assert_eq!(deref(&pointers), Err((None, EncodeRefusal::NoAxisAfter { load: 1 })));
    assert!(pointers.new_axis(1).unwrap().to_derefoff().is_ok());

    // Two loads in a row: neither, until an axis stands between.
    let twice = layout(&[4, 4], &[(0, &[8, 0]), (0, &[0, 0]), (0, &[0, 1])]);
    assert_eq!(sub(&twice), Err((None, EncodeRefusal::NoAxisBefore { load: 2 })));
    assert_eq!(deref(&twice), Err((None, EncodeRefusal::NoAxisAfter { load: 1 })));
    let between = twice.new_axis(1).unwrap();
    assert_eq!(sub(&between).unwrap().suboffsets, Some(vec![0, 0, -1]));
    assert_eq!(deref(&between).unwrap().derefoff, Some(vec![None, Some(0), Some(0)]));

    // A negative offset after a load.
    let negative = layout(&[4, 4], &[(0, &[8, 0]), (-1, &[0, 1])]);
    assert_eq!(sub(&negative), Err((Some(0), EncodeRefusal::NegativeOffset { load: 1, offset: -1 })));
    assert_eq!(deref(&negative).unwrap().derefoff, Some(vec![None, Some(-1)]));
}

#[test]
fn lengths_and_claims_are_checked() {
    let kind = |r: Result<Layout, extbuf_layout::LayoutError>| r.unwrap_err().kind().clone();
    assert_eq!(
        kind(Layout::from_suboffsets(1, &[2, 2], &[2, 1], Some(&[0]), 0)),
        Kind::EncodedLength { what: "suboffsets", given: 1, ndim: 2 }
    );
    assert_eq!(
        kind(Layout::from_derefoff(1, &[2, 2], &[2], None, 0)),
        Kind::StridesLength { level: 0, strides: 1, ndim: 2 }
    );
    assert_eq!(
        kind(Layout::from_isptr(1, &[2, -2], &[2, 1], None, 0)),
        Kind::NegativeExtent { axis: 1, extent: -2 }
    );
    assert_eq!(kind(Layout::from_suboffsets(1, &[1; 65], &[1; 65], None, 0)), Kind::TooManyAxes { ndim: 65 });
    // A load at each of 64 axes is the most there can be.
    let deepest = Layout::from_suboffsets(1, &[2; 63], &[8; 63], Some(&[0; 63]), 0);
    assert_eq!(kind(deepest), Kind::TooManyBytes { axis: Some(isize::BITS as usize - 2), itemsize: 1 });
    let deepest = Layout::from_suboffsets(1, &[1; 64], &[8; 64], Some(&[3; 64]), 0).unwrap();
    assert_eq!(deepest.levels(), 65);
    assert_eq!(deepest.to_suboffsets().unwrap().suboffsets, Some(vec![3; 64]));
}
