//go:build race

package storm

// raceDetector says that the race detector is on.
const raceDetector = true
