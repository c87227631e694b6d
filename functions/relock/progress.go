package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/relock-project/relock/rotation"
)

// A teller shows on standard error how far a run is.
type teller interface {
	tell(rotation.Progress)
	// end takes away what must not stay.
	end()
}

// teller returns a bar for a terminal, lines for anything else or beside a log, and nothing for a quiet run.
func (o *options) teller() teller {
	switch {
	case o.quiet:
		return silence{}
	case isTerminal(o.stderr) && !o.verbose:
		return &bar{w: o.stderr}
	}
	return &lines{w: o.stderr, every: 5 * time.Second, now: time.Now}
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

type silence struct{}

func (silence) tell(rotation.Progress) {}
func (silence) end()                   {}

// lines tells in lines of text, not more often than every so long, and only when something changed.
type lines struct {
	w     io.Writer
	every time.Duration
	now   func() time.Time

	last time.Time
	told rotation.Progress
}

func (l *lines) tell(p rotation.Progress) {
	now := l.now()
	if p == l.told || p.Targets == 0 || now.Sub(l.last) < l.every {
		return
	}
	l.last, l.told = now, p
	fmt.Fprintf(l.w, "relock: generation %d: %s of %s machines proven, %s down\n",
		p.Generation, thousands(p.Proven), thousands(p.Targets), thousands(p.Down))
}

func (l *lines) end() {}

// bar tells with a progress bar, which end removes.
type bar struct {
	w   io.Writer
	bar *progressbar.ProgressBar
}

func (b *bar) tell(p rotation.Progress) {
	if p.Targets == 0 {
		return
	}
	if b.bar == nil {
		b.bar = progressbar.NewOptions(p.Targets,
			progressbar.OptionSetWriter(b.w),
			progressbar.OptionSetWidth(30),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(true),
			progressbar.OptionShowCount(),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetTheme(progressbar.ThemeASCII),
		)
	}
	b.bar.Describe(fmt.Sprintf("generation %d: %s proven, %s down ", p.Generation, thousands(p.Proven), thousands(p.Down)))
	b.bar.ChangeMax(p.Targets)
	_ = b.bar.Set(min(p.Ended, p.Targets)) // what a terminal does not show is no failure of the run
}

func (b *bar) end() {
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}
