/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest of one sector, for machines in which a Linux would take minutes: it answers each octet on its serial port by the next
 * one and by how many it has answered ("b0001;" to the first "a"), and powers off when its button is pressed. The count
 * lies in its memory, so it tells a guest that went on from one that began anew. After a "D" it is deaf to its button.
 *
 * Nothing but these two wakes it: an emulated processor that is woken 18 times a second by its timer is a burden to an emulated host.
 */
#define SERIAL 0x3f8
#define SERIAL_INTERRUPTS (SERIAL + 1)
#define SERIAL_MODEM (SERIAL + 4)
#define SERIAL_STATUS (SERIAL + 5)
#define PM1_STATUS 0x600 /* where SeaBIOS puts ICH9's */
#define PM1_ENABLE 0x602
#define PM1_CONTROL 0x604
#define POWER_BUTTON (1 << 8)
#define SLEEP_ENABLE (1 << 13) /* type 0 is off */
#define PIC 0x20
#define PIC_SLAVE 0xa0
#define END_OF_INTERRUPT 0x20
#define ONLY_SERIAL_AND_SLAVE 0xeb
#define ONLY_ACPI 0xfd
#define VECTOR(n) ((n) * 4)
#define SERIAL_VECTOR 0x0c
#define ACPI_VECTOR 0x71
#define TIMER 0x40
#define TIMER_MODE 0x43
#define TIMER_ONCE 0x30

    .code16
    .globl _start
_start:
    cli
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov $_start, %sp
    movw $woken, VECTOR(SERIAL_VECTOR)
    movw %ax, VECTOR(SERIAL_VECTOR) + 2
    movw $woken, VECTOR(ACPI_VECTOR)
    movw %ax, VECTOR(ACPI_VECTOR) + 2
    mov $ONLY_SERIAL_AND_SLAVE, %al
    out %al, $PIC + 1
    mov $ONLY_ACPI, %al
    out %al, $PIC_SLAVE + 1
    mov $TIMER_ONCE, %al
    out %al, $TIMER_MODE
    out %al, $TIMER
    out %al, $TIMER
    mov $1, %al
    mov $SERIAL_INTERRUPTS, %dx
    out %al, %dx
    mov $0xb, %al
    mov $SERIAL_MODEM, %dx
    out %al, %dx
    mov $POWER_BUTTON, %ax
    mov $PM1_ENABLE, %dx
    out %ax, %dx

look:
    cli
    mov $PM1_STATUS, %dx
    in %dx, %ax
    test $POWER_BUTTON, %ax
    jnz off
    mov $SERIAL_STATUS, %dx
    in %dx, %al
    test $1, %al
    jnz answer
    sti
    hlt
    jmp look

answer:
    mov $SERIAL, %dx
    in %dx, %al
    cmp $'D', %al
    jne 1f
    xor %bx, %bx
    xchg %ax, %bx
    mov $PM1_ENABLE, %dx
    out %ax, %dx
    xchg %ax, %bx
    mov $SERIAL, %dx
1:  inc %al
    call put
    incw count
    mov count, %bx
    mov $4, %cx
digit:
    rol $4, %bx
    mov %bl, %al
    and $15, %al
    add $'0', %al
    cmp $'9', %al
    jbe write
    add $('a' - '9' - 1), %al
write:
    call put
    loop digit
    mov $';', %al
    call put
    jmp look

/* Until the port takes it. */
put:
    push %ax
    mov $SERIAL_STATUS, %dx
1:  in %dx, %al
    test $0x20, %al
    jz 1b
    pop %ax
    mov $SERIAL, %dx
    out %al, %dx
    ret

off:
    mov $SLEEP_ENABLE, %ax
    mov $PM1_CONTROL, %dx
    out %ax, %dx
    hlt

woken:
    push %ax
    mov $END_OF_INTERRUPT, %al
    out %al, $PIC_SLAVE
    out %al, $PIC
    pop %ax
    iret

count:
    .word 0
    .org 510
    .word 0xaa55
