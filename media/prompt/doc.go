// Package prompt speaks: texts, numbers, telephone numbers and times, in English and German, from pieces that were spoken when the program was built.
//
// A [Book] gives the sound of [Words] in a language; language.go holds the texts, english.go and german.go how each language counts and tells the time. The pieces come
// from en.txt and de.txt, were spoken by espeak-ng (`go generate`, see the folder speak) and lie in en.pack and de.pack as ADPCM, which Go alone plays (pack.go, adpcm.go). Files
// in a folder of one's own replace them one by one.
package prompt

//go:generate go run ./speak
