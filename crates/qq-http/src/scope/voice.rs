//! Audio and people in voice channels.

use qq_model::audio::AudioControl;
use qq_model::user::Member;

use super::ChannelScope;
use crate::request::Call;
use crate::route::Route;

impl ChannelScope {
    /// Plays, pauses or stops audio. Voice channels only; the bot must be on the microphone.
    pub fn audio(&self, control: &AudioControl) -> Call<()> {
        self.at().put(Route::AudioControl, control)
    }

    /// Takes the microphone. Voice channels only.
    pub fn mic_on(&self) -> Call<()> {
        self.at().act(Route::MicOn)
    }

    /// Leaves the microphone. Voice channels only.
    pub fn mic_off(&self) -> Call<()> {
        self.at().act(Route::MicOff)
    }

    /// Who is in it. Voice channels only. Undocumented; official SDKs have it.
    pub fn voice_members(&self) -> Call<Vec<Member>> {
        self.at().list(Route::ListVoiceMembers)
    }
}
