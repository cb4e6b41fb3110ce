/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What the launcher and the driver (driver-kvm/launch.c) agree on.
 *
 * The launcher is started with the descriptors below and no arguments. It reads the description to its last record, and does
 * nothing if that never comes (the daemon died). A record is "KEY LENGTH:VALUE\n"; VALUE has LENGTH bytes. Unknown keys are
 * refused, so that no demand is lost between two builds.
 *
 *   arg      argument of the program, in order, the first its path    (repeated)
 *   env      NAME=VALUE of its environment                            (repeated)
 *   keep     number of a descriptor it keeps, 7 and above             (repeated)
 *   pidfile  where "PID STARTTIME\n" goes, before anything else
 *   log      "NUMBER SIZE COUNT MODE PATH": descriptor NUMBER of the program is a pipe, whose content goes to PATH; at
 *            SIZE bytes it is renamed to PATH.0, ... of which COUNT are kept; MODE is a (append) or t (truncate). NUMBER 1
 *            stands for standard output and error                     (repeated)
 *   title    text written to the first log before all else
 *   cgroup   folder of the control group to join
 *   limit    "NAME SOFT HARD": a resource limit; core, nofile or memlock; numbers or "unlimited"  (repeated)
 *   oom      oom_score_adj
 *   cpus     host CPUs it may run on, as far as they are there: "0-3,8"
 *   memory   "MODE NODES": host nodes its memory comes from; MODE is strict, preferred or interleave
 *   umask    octal
 *   cwd      working directory
 *   gid      group;  group  supplementary group (repeated);  uid  user. All capabilities are lost in any case
 *   capabilities  "keep": but in this one; for a program that gives them up by itself
 *   end      the last record; LENGTH is 0
 */
#define LAUNCH_DESCRIPTION 3 /* read from */
#define LAUNCH_STATUS 4      /* gets one line if something fails, and ends when the program runs */
#define LAUNCH_LOCK 5        /* stays open in the program: proof that it is alive, and ours */
#define LAUNCH_LOGGED 6      /* stays open in the log writer: ends when the last log is written */
#define LAUNCH_FIRST_FREE 7

#define LAUNCH_SIZE_MAX (4 * 1024 * 1024)
