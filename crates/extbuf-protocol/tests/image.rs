//! Pictures of the `image` crate, looked at through views and through the crate itself.
#![cfg(feature = "image")]

use extbuf_format::Element;
use extbuf_layout::s;
use extbuf_protocol::{Array, Exporter, RefusalKind, Request};
use image::{GrayAlphaImage, ImageBuffer, Rgb, Rgb32FImage, RgbImage, Rgba, RgbaImage, imageops};

fn picture() -> RgbaImage {
    RgbaImage::from_fn(7, 5, |x, y| Rgba([x as u8, y as u8, (x * 10 + y) as u8, 255]))
}

#[test]
fn every_sample_is_where_the_image_crate_finds_it() {
    let picture = &picture();
    let export = picture.export(Request::FULL_RO).unwrap();
    assert_eq!(export.layout().shape(), [5, 7, 4]);
    for (x, y, pixel) in picture.enumerate_pixels() {
        for (c, sample) in pixel.0.iter().enumerate() {
            assert_eq!(export.view().get::<u8>(&[y as usize, x as usize, c]).unwrap(), *sample);
        }
    }
}

#[test]
fn slices_are_the_crops_and_flips_of_the_image_crate() {
    let picture = &picture();
    let export = picture.export(Request::FULL_RO).unwrap();
    let cut = export.view().slice(s![1..4, 2..6, ..]).unwrap();
    let flipped = cut.clone().reverse_axis(0).unwrap();
    let cropped = imageops::crop_imm(picture, 2, 1, 4, 3).to_image();
    for (view, expected) in [(cut, &cropped), (flipped, &imageops::flip_vertical(&cropped))] {
        for (x, y, pixel) in expected.enumerate_pixels() {
            let blue: u8 = view.get(&[y as usize, x as usize, 2]).unwrap();
            assert_eq!(blue, pixel.0[2]);
        }
    }
}

#[test]
fn samples_of_any_width_have_their_own_format() {
    let wide = &ImageBuffer::<Rgb<u16>, _>::from_raw(2, 1, vec![1u16, 2, 3, 40_000, 5, 6]).unwrap();
    let export = wide.export(Request::FULL_RO).unwrap();
    assert_eq!((export.format(), export.layout().itemsize()), (&u16::FORMAT, 2));
    assert_eq!(export.view().get::<u16>(&[0, 1, 0]).unwrap(), 40_000);
    let floats = Rgb32FImage::from_pixel(2, 2, Rgb([0.5, 1.0, -1.0]));
    assert_eq!((&floats).export(Request::FULL_RO).unwrap().view().get::<f32>(&[1, 1, 2]).unwrap(), -1.0);
    assert_eq!((&GrayAlphaImage::new(3, 2)).export(Request::FULL_RO).unwrap().layout().shape(), [2, 3, 2]);
}

#[test]
fn a_borrowed_container_and_one_that_is_too_long_lend_the_picture_alone() {
    let bytes = [9u8; 100];
    let picture = ImageBuffer::<Rgb<u8>, &[u8]>::from_raw(4, 2, &bytes[..]).unwrap();
    let window = (&picture).window(Request::FULL_RO).unwrap();
    assert_eq!(window.view().as_bytes().unwrap().len(), 24);
    // What an empty picture has is a shape.
    let nothing = RgbImage::new(0, 3);
    assert_eq!((&nothing).export(Request::FULL_RO).unwrap().layout().shape(), [3, 0, 3]);
}

#[test]
fn an_owned_picture_is_written_in_place_and_a_borrowed_one_is_not() {
    let picture = picture();
    assert_eq!((&picture).export(Request::FULL).unwrap_err().kind(), &RefusalKind::ReadOnly);
    let array = Array::try_from(picture).unwrap();
    let mut window = array.window(Request::FULL).unwrap();
    window.view_mut().unwrap().set(&[4, 6, 3], 0u8).unwrap();
    assert_eq!(window.view().as_bytes().unwrap().iter().filter(|&&byte| byte == 0).count(), 5 + 7 + 1 + 1);
}
