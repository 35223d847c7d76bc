"""Asks a Segue server through py-opensonic, a typed client of OpenSubsonic: API key, extensions, JSON bodies."""

import sys

import libopensonic
from checks import refused, run

base, port, user, key = sys.argv[1:5]
c = libopensonic.Connection(base, api_key=key, port=int(port), app_name="py-opensonic")

song = c.search3("one").song[0]
one, album, artist = song.id, song.album_id, song.artist_id
two = c.search3("two").song[0].id
made = {}

PLAYS = {
    "name": "test",
    "platform": "test",
    "directPlayProfiles": [{"containers": ["mp3"], "audioCodecs": ["mp3"], "protocols": ["http"]}],
    "transcodingProfiles": [{"container": "ogg", "audioCodec": "opus", "protocol": "http"}],
}


def read(answer):
    """The first bytes of what a call streams."""
    import asyncio

    async def some():
        data = await answer.read()
        answer.close()
        return data

    return asyncio.run_coroutine_threadsafe(some(), c._loop).result()


def playlist_of(name):
    return next(p for p in c.get_playlists() if p.name == name).id


def share():
    made["share"] = c.create_share([one], "for you").id
    return bool(made["share"])


def jukebox():
    entries = c.jukebox_control("get").entry
    status = [c.jukebox_control(action) for action in ("status", "start", "stop", "shuffle", "clear", "set")]
    status.append(c.jukebox_control("add", sids=[one]))
    status.append(c.jukebox_control("skip", index=1, offset=3))
    status.append(c.jukebox_control("remove", index=0))
    status.append(c.jukebox_control("setGain", gain=0.5))
    return [e.title for e in entries] == ["One", "Three"] and all(s.current_index == 0 for s in status)


def decide():
    made["decision"] = c.get_transcode_decision(one, "song", PLAYS)
    return not made["decision"].can_direct_play and made["decision"].can_transcode


def extensions():
    names = {extension.name for extension in c.get_open_subsonic_extensions()}
    return {"apiKeyAuthentication", "formPost", "indexBasedQueue", "playbackReport", "transcoding"} <= names


# Not asked, because this client cannot (10.4.1): getMusicFolders (reads the list as its one element), getAlbumList (wants
# the shape of getAlbumList2), updateShare without a new end (passes no parameter name).
run([
    ("getOpenSubsonicExtensions", extensions),
    ("ping", lambda: c.ping()),
    ("tokenInfo", lambda: c.token_info().username == user),
    ("getLicense", lambda: c.get_license()),
    ("getIndexes", lambda: c.get_indexes().index[0].artist),
    ("getMusicDirectory", lambda: c.get_music_directory(album).child[0].title == "One"),
    ("getArtists", lambda: c.get_artists().index[0].artist),
    ("getArtist", lambda: c.get_artist(artist).album[0].id == album),
    ("getAlbum", lambda: len(c.get_album(album).song) == 3),
    ("getSong", lambda: c.get_song(one).title == "One"),
    ("getGenres", lambda: len(c.get_genres()) == 3),
    ("getAlbumInfo", lambda: c.get_album_info(album) is not None),
    ("getAlbumInfo2", lambda: c.get_album_info2(album) is not None),
    ("getArtistInfo", lambda: c.get_artist_info(artist) is not None),
    ("getArtistInfo2", lambda: c.get_artist_info2(artist) is not None),
    ("getAlbumList2", lambda: len(c.get_album_list2("newest", size=1)) == 1),
    ("getRandomSongs", lambda: len(c.get_random_songs(3)) == 3),
    ("getSongsByGenre", lambda: c.get_songs_by_genre("Pop")[0].title == "Three"),
    ("search2", lambda: c.search2("alpha").artist[0].name == "Alpha"),
    ("search3", lambda: c.search3("first light").album[0].id == album),
    ("star", lambda: c.star([one], [album], [artist])),
    ("getStarred", lambda: c.get_starred().song[0].id == one),
    ("getStarred2", lambda: c.get_starred2().album[0].id == album),
    ("unstar", lambda: c.unstar([one], [album], [artist]) and not c.get_starred2().song),
    ("setRating", lambda: c.set_rating(one, 4) and c.get_song(one).user_rating == 4),
    ("scrobble", lambda: c.scrobble(one)),
    ("reportPlayback", lambda: c.report_playback(two, "song", 10, "playing")),
    ("getNowPlaying", lambda: c.get_now_playing()[0].id == two),
    ("createPlaylist", lambda: c.create_playlist(name="for the road", song_ids=[one, two])),
    ("getPlaylists", lambda: playlist_of("for the road")),
    ("getPlaylist", lambda: len(c.get_playlist(playlist_of("for the road")).entry) == 2),
    ("updatePlaylist", lambda: c.update_playlist(playlist_of("for the road"), name="home", song_indices_to_remove=[0])
        and c.get_playlist(playlist_of("home")).entry[0].id == two),
    ("deletePlaylist", lambda: c.delete_playlist(playlist_of("home")) and not c.get_playlists()),
    ("createBookmark", lambda: c.create_bookmark(one, 42000, "here")),
    ("getBookmarks", lambda: c.get_bookmarks()[0].position == 42000),
    ("deleteBookmark", lambda: c.delete_bookmark(one) and not c.get_bookmarks()),
    ("savePlayQueue", lambda: c.save_play_queue([one, two], two, 1000)),
    ("getPlayQueue", lambda: c.get_play_queue().current == two),
    ("savePlayQueueByIndex", lambda: c.save_play_queue_by_index([one, one], 1, 7)),
    ("getPlayQueueByIndex", lambda: c.get_play_queue_by_index().current_index == 1),
    ("stream", lambda: read(c.stream(one))[:4] == b"RIFF"),
    ("download", lambda: read(c.download(one))[:4] == b"RIFF"),
    ("getCoverArt", lambda: read(c.get_cover_art(song.cover_art, size=64))[:2] in (b"\x89P", b"\xff\xd8")),
    ("getAvatar", lambda: read(c.get_avatar(user))[:4] == b"\x89PNG"),
    ("getTranscodeDecision", decide),
    ("getTranscodeStream", lambda: read(
        c.get_transcode_stream(one, "song", made["decision"].transcode_params))[:4] == b"OggS"),
    ("createShare", share),
    ("getShares", lambda: c.get_shares()[0].entry[0].id == one),
    ("deleteShare", lambda: c.delete_share(made["share"]) and not c.get_shares()),
    ("createInternetRadioStation", lambda: c.create_internet_radio_station("http://radio.example/live", "Live")),
    ("getInternetRadioStations", lambda: c.get_internet_radio_stations()[0].name == "Live"),
    ("updateInternetRadioStation", lambda: c.update_internet_radio_station(
        c.get_internet_radio_stations()[0].id, "http://radio.example/2", "Two")),
    ("deleteInternetRadioStation", lambda: c.delete_internet_radio_station(c.get_internet_radio_stations()[0].id)),
    ("createUser", lambda: c.create_user("carl", "secret", "carl@example.org", download_role=True)),
    ("getUser", lambda: c.get_user("carl").download_role),
    ("getUsers", lambda: "carl" in [u.username for u in c.get_users()]),
    ("updateUser", lambda: c.update_user("carl", download_role=False) and not c.get_user("carl").download_role),
    ("changePassword", lambda: c.change_password("carl", "other")),
    ("deleteUser", lambda: c.delete_user("carl") and refused(lambda: c.get_user("carl"))),
    ("startScan", lambda: c.start_scan() is not None),
    ("getScanStatus", lambda: c.get_scan_status().count >= 0),
    ("jukeboxControl", jukebox),
    ("getPodcasts", lambda: refused(c.get_podcasts)),
    ("getVideos", lambda: refused(c.get_videos)),
])
