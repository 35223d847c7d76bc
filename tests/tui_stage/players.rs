//! The players of an account on a stage: those that there are, and those that were chosen.

use std::sync::Mutex;

use segue::tui::effects::Place;

#[derive(Default)]
pub struct Players {
    /// Nobody knows of any where there are none.
    pub places: Mutex<Vec<Place>>,
    pub chosen: Mutex<Vec<String>>,
}

impl Players {
    pub fn known(&self) -> Result<Vec<Place>, String> {
        let places = self.places.lock().unwrap().clone();
        let unknown = "This server knows no other players: Segue's own servers do.".to_owned();
        if places.is_empty() { Err(unknown) } else { Ok(places) }
    }

    pub fn choose(&self, name: &str) -> Result<String, String> {
        self.chosen.lock().unwrap().push(name.to_owned());
        let places = self.places.lock().unwrap();
        match places.iter().find(|place| place.id == name || place.name == name) {
            Some(place) if place.online => Ok(format!("Plays on {}.", place.name)),
            Some(place) => Err(format!("{} is not on, so the music stays where it is.", place.name)),
            None => Err(format!("There is no player “{name}”; :devices shows all.")),
        }
    }
}
