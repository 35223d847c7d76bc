"""Asks a Segue server through py-sonic, a client of the classic API: token authentication, POST forms, JSON."""

import sys

import libsonic
from checks import refused, run

base, port, user, secret = sys.argv[1:5]
c = libsonic.Connection(base, user, secret, port=int(port), appName="py-sonic")
c_plain = libsonic.Connection(base, user, secret, port=int(port), appName="py-sonic", legacyAuth=True)

song = c.search3("one")["searchResult3"]["song"][0]
one, album, artist = song["id"], song["albumId"], song["artistId"]
two = c.search3("two")["searchResult3"]["song"][0]["id"]
made = {}


def ok(answer):
    return answer is True or answer["status"] == "ok"


def playlist_of(name):
    return next(p for p in c.getPlaylists()["playlists"]["playlist"] if p["name"] == name)["id"]


def share():
    made["share"] = c.createShare([one], "for you")["shares"]["share"][0]["id"]
    return bool(made["share"])


def jukebox():
    entries = c.jukeboxControl("get")["jukeboxPlaylist"]["entry"]
    status = [c.jukeboxControl(action)["jukeboxStatus"] for action in ("status", "start", "stop", "shuffle", "clear", "set")]
    status.append(c.jukeboxControl("add", sids=[one, two])["jukeboxStatus"])
    status.append(c.jukeboxControl("skip", index=1, offset=3)["jukeboxStatus"])
    status.append(c.jukeboxControl("remove", index=0)["jukeboxStatus"])
    status.append(c.jukeboxControl("setGain", gain=0.5)["jukeboxStatus"])
    return [e["title"] for e in entries] == ["One", "Three"] and all(s["currentIndex"] == 0 for s in status)


def station():
    return c.getInternetRadioStations()["internetRadioStations"]["internetRadioStation"][0]


run([
    ("ping", lambda: c.ping() and c_plain.ping()),
    ("getLicense", lambda: c.getLicense()["license"]["valid"]),
    ("getMusicFolders", lambda: c.getMusicFolders()["musicFolders"]["musicFolder"][0]["name"]),
    ("getIndexes", lambda: c.getIndexes()["indexes"]["index"][0]["artist"]),
    ("getMusicDirectory", lambda: c.getMusicDirectory(album)["directory"]["child"][0]["title"] == "One"),
    ("getArtists", lambda: c.getArtists()["artists"]["index"][0]["artist"]),
    ("getArtist", lambda: c.getArtist(artist)["artist"]["album"][0]["id"] == album),
    ("getAlbum", lambda: len(c.getAlbum(album)["album"]["song"]) == 3),
    ("getSong", lambda: c.getSong(one)["song"]["title"] == "One"),
    ("getGenres", lambda: {g["value"] for g in c.getGenres()["genres"]["genre"]} == {"Rock", "Pop", "Jazz"}),
    ("getAlbumInfo", lambda: "albumInfo" in c.getAlbumInfo(album)),
    ("getAlbumInfo2", lambda: "albumInfo" in c.getAlbumInfo2(album)),
    ("getArtistInfo", lambda: "artistInfo" in c.getArtistInfo(artist)),
    ("getArtistInfo2", lambda: "artistInfo2" in c.getArtistInfo2(artist)),
    ("getAlbumList", lambda: len(c.getAlbumList("alphabeticalByName")["albumList"]["album"]) == 2),
    ("getAlbumList2", lambda: len(c.getAlbumList2("newest", size=1)["albumList2"]["album"]) == 1),
    ("getRandomSongs", lambda: len(c.getRandomSongs(3)["randomSongs"]["song"]) == 3),
    ("getSongsByGenre", lambda: c.getSongsByGenre("Pop")["songsByGenre"]["song"][0]["title"] == "Three"),
    ("search", lambda: c.search(any="one")["searchResult"]["match"][0]["id"] == one),
    ("search2", lambda: c.search2("alpha")["searchResult2"]["artist"][0]["name"] == "Alpha"),
    ("search3", lambda: c.search3("first light")["searchResult3"]["album"][0]["id"] == album),
    ("star", lambda: ok(c.star([one], [album], [artist]))),
    ("getStarred", lambda: c.getStarred()["starred"]["song"][0]["id"] == one),
    ("getStarred2", lambda: c.getStarred2()["starred2"]["album"][0]["id"] == album),
    ("unstar", lambda: ok(c.unstar([one], [album], [artist])) and not c.getStarred2()["starred2"]["song"]),
    ("setRating", lambda: ok(c.setRating(one, 4)) and c.getSong(one)["song"]["userRating"] == 4),
    ("scrobble", lambda: ok(c.scrobble(one)) and c.getSong(one)["song"]["playCount"] == 1),
    ("getNowPlaying", lambda: ok(c.scrobble(two, submission=False)) and c.getNowPlaying()["nowPlaying"]["entry"][0]["id"] == two),
    ("createPlaylist", lambda: ok(c.createPlaylist(name="for the road", songIds=[one, two]))),
    ("getPlaylists", lambda: playlist_of("for the road")),
    ("getPlaylist", lambda: len(c.getPlaylist(playlist_of("for the road"))["playlist"]["entry"]) == 2),
    ("updatePlaylist", lambda: ok(c.updatePlaylist(playlist_of("for the road"), name="home", songIndexesToRemove=[0]))
        and c.getPlaylist(playlist_of("home"))["playlist"]["entry"][0]["id"] == two),
    ("deletePlaylist", lambda: ok(c.deletePlaylist(playlist_of("home"))) and not c.getPlaylists()["playlists"]["playlist"]),
    ("createBookmark", lambda: ok(c.createBookmark(one, 42000, "here"))),
    ("getBookmarks", lambda: c.getBookmarks()["bookmarks"]["bookmark"][0]["position"] == 42000),
    ("deleteBookmark", lambda: ok(c.deleteBookmark(one)) and not c.getBookmarks()["bookmarks"]["bookmark"]),
    ("savePlayQueue", lambda: ok(c.savePlayQueue([one, two], two, 1000))),
    ("getPlayQueue", lambda: c.getPlayQueue()["playQueue"]["current"] == two),
    ("stream", lambda: c.stream(one).read()[:4] == b"RIFF"),
    ("download", lambda: c.download(one).read()[:4] == b"RIFF"),
    ("getCoverArt", lambda: c.getCoverArt(song["coverArt"], size=64).read()[:2] in (b"\x89P", b"\xff\xd8")),
    ("getAvatar", lambda: c.getAvatar(user).read()[:4] == b"\x89PNG"),
    ("createShare", share),
    ("getShares", lambda: c.getShares()["shares"]["share"][0]["entry"][0]["id"] == one),
    ("updateShare", lambda: ok(c.updateShare(made["share"], "for all"))
        and c.getShares()["shares"]["share"][0]["description"] == "for all"),
    ("deleteShare", lambda: ok(c.deleteShare(made["share"])) and not c.getShares()["shares"]["share"]),
    ("createInternetRadioStation", lambda: ok(c.createInternetRadioStation("http://radio.example/live", "Live"))),
    ("getInternetRadioStations", lambda: station()["streamUrl"] == "http://radio.example/live"),
    ("updateInternetRadioStation", lambda: ok(c.updateInternetRadioStation(station()["id"], "http://radio.example/2", "Two"))
        and station()["name"] == "Two"),
    ("deleteInternetRadioStation", lambda: ok(c.deleteInternetRadioStation(station()["id"]))),
    ("createUser", lambda: ok(c.createUser("carl", "secret", "carl@example.org", downloadRole=True))),
    ("getUser", lambda: c.getUser("carl")["user"]["downloadRole"]),
    ("getUsers", lambda: "carl" in [u["username"] for u in c.getUsers()["users"]["user"]]),
    ("updateUser", lambda: ok(c.updateUser("carl", downloadRole=False)) and not c.getUser("carl")["user"]["downloadRole"]),
    ("changePassword", lambda: ok(c.changePassword("carl", "other"))),
    ("deleteUser", lambda: ok(c.deleteUser("carl")) and refused(lambda: c.getUser("carl"))),
    ("startScan", lambda: "scanning" in c.startScan()["scanStatus"]),
    ("getScanStatus", lambda: c.getScanStatus()["scanStatus"]["count"] >= 0),
    ("jukeboxControl", jukebox),
    ("getPodcasts", lambda: refused(c.getPodcasts)),
    ("getVideos", lambda: refused(c.getVideos)),
    ("getChatMessages", lambda: refused(c.getChatMessages)),
])
