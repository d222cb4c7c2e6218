//! The screens of a cafe.

use anyhow::Result;
use serde_json::json;

use crate::session::Session;

/// A size, and how it is touched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Screen {
    /// In CSS pixels.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    /// Of its own pixels to a CSS pixel.
    pub scale: f32,
    /// Whether a finger is what points.
    pub touch: bool,
    /// Whether it is a phone's or a tablet's browser, which heeds `<meta name="viewport">`.
    pub mobile: bool,
}

impl Screen {
    /// A customer's phone.
    pub const PHONE: Self = Self { width: 390, height: 844, scale: 3.0, touch: true, mobile: true };
    /// Where customers order, upright.
    pub const KIOSK: Self = Self { width: 1080, height: 1920, scale: 1.0, touch: true, mobile: false };
    /// The barista's, beside the machine.
    pub const TABLET: Self = Self { width: 1280, height: 800, scale: 2.0, touch: true, mobile: true };
    /// Above the counter.
    pub const TV: Self = Self { width: 1920, height: 1080, scale: 1.0, touch: false, mobile: false };

    /// By emulation: a window has a least size that is more than a phone's.
    pub(crate) fn show(&self, session: &Session) -> Result<()> {
        let metrics = json!({
            "width": self.width, "height": self.height, "screenWidth": self.width, "screenHeight": self.height,
            "deviceScaleFactor": self.scale, "mobile": self.mobile,
        });
        session.devtools("Emulation.setDeviceMetricsOverride", &metrics)?;
        let touch = json!({ "enabled": self.touch, "maxTouchPoints": 5 });
        session.devtools("Emulation.setTouchEmulationEnabled", &touch).map(drop)
    }
}
