//go:build (linux || darwin) && (amd64 || arm64) && !noopus

package opus

// loads tells whether this program could load a library.
const loads = true
