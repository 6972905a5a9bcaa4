// Package music opens what those hear who wait: the tune of the program, a file, or a stream of the Web.
//
// A [Shelf] turns a setting into a [session.Music]. A setting is "tune", "none", the name of a file (one without a folder lies in the folder of the shelf), or the http or https URL of
// a stream. Files are WAV, or Opus in Ogg; streams are the same, or PCM (audio/L16, RFC 3551 §4.5.11). MP3 is refused: nobody keeps a decoder in Go that stands what strangers send.
//
// A file is read when somebody first waits for it, and again when it has changed. A stream has one reader for all who hear it, which runs while somebody does: it buffers a few seconds,
// connects again when the stream ends or fails, and while there is none the tune is heard. [Shelf.Probe] tries a setting; [Shelf.Add], [Shelf.Files] and [Shelf.Remove] keep the folder.
package music
