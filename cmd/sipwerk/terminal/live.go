// What is shown while something goes on, and figures as people read them.

package terminal

import (
	"fmt"
	"io"
	"os"
	"time"
)

// Beat is how often a live line is rewritten.
const Beat = 200 * time.Millisecond

// Live reports whether w is a screen, on which a line can be rewritten.
func Live(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	stat, err := f.Stat()
	return err == nil && stat.Mode()&os.ModeCharDevice != 0
}

// Clock prints a duration as minutes and seconds.
func Clock(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// Percent prints a share.
func Percent(share float64) string {
	if share > 0 && share < 0.1 {
		return fmt.Sprintf("%.1f %%", 100*share)
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}
