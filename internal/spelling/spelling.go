// Package spelling finds the name that was probably meant by one that is not known.
package spelling

import "iter"

// tolerance is how many letters may be wrong.
const tolerance = 3

// Nearest returns the name that is written most like word; "" if none has at most three letters of difference, and fewer than word has.
func Nearest(word string, names iter.Seq[string]) string {
	best, distance := "", min(tolerance+1, len(word))
	for n := range names {
		if d := difference(word, n); d < distance {
			best, distance = n, d
		}
	}
	return best
}

// difference is the number of letters to insert, delete or replace to turn a into b.
func difference(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
