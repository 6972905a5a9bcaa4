package peer

// Programs that run in Node: their modules.

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// InstallNode unpacks a program with its package.json and package-lock.json into a folder of the test, puts its modules beside it and returns the folder.
func InstallNode(ctx context.Context, t testing.TB, program embed.FS) (string, error) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, program); err != nil {
		return "", err
	}
	npm := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w: %s", err, out)
	}
	return dir, nil
}
