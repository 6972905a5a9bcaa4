// Package audio makes and judges sound as PCM: WAV files, resampling, tones, a melody for music on hold, and the measures
// by which a test tells what was heard from what was spoken. All samples are 16-bit and mono; rates are in Hz.
//
// A [Source] is anything samples are read from. It does not encode for the network (package codec) and opens no files.
package audio
